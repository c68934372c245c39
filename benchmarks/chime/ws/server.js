// A peer: Node's `ws`, one process, the event encoded once and written in a plain loop.
// Usage: node server.js PORT; the event is the JSON in $BENCH_PAYLOAD, MARK in it replaced for each round.
"use strict";
const http = require("node:http");
const { WebSocketServer } = require("ws");

const template = process.env.BENCH_PAYLOAD;
const boards = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
  if (pathname === "/publish") {
    const event = JSON.parse(template);
    event.request.title = event.request.title.replace("MARK", searchParams.get("mark"));
    const text = JSON.stringify(event);
    for (const board of boards.clients) board.send(text);
  }
  response.end("ok");
});
server.on("upgrade", (request, socket, head) => boards.handleUpgrade(request, socket, head, () => {}));
server.listen(Number(process.argv[2]), "127.0.0.1");
