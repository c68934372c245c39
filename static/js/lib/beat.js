// A worker that only keeps time: browsers slow down the timers of a hidden page to one a minute, but not those of a worker.
const beat = () => self.postMessage("beat");
let timer = setInterval(beat, 4_000);
self.onmessage = ({ data: everyMs }) => {
  clearInterval(timer);
  timer = setInterval(beat, everyMs);
};
