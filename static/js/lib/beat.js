// A worker that only keeps time: browsers slow down the timers of a hidden page to one a minute, but not those of a worker.
setInterval(() => self.postMessage("beat"), 4_000);
