// A Grid in a process of its own. Everything is answered at once by an empty list, but /auth/sessions:
// that stalls, cuts, floods or trickles, as the first argument says.

import { createServer } from "node:net";

const LIST = '{"data":[]}';
const ANSWER =
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${LIST.length}\r\n\r\n` + LIST;
const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const CHUNK = `10000\r\n${"a".repeat(0x10000)}\r\n`;

const modes = {
  // Takes the request, and never answers.
  stall() {},
  // Hangs up in place of an answer.
  cut: (socket) => socket.destroy(),
  // Hangs up in the middle of one.
  half: (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"),
  // Sends an answer without an end, as fast as it is taken.
  flood(socket) {
    const send = () => {
      while (!socket.destroyed && socket.write(CHUNK));
    };
    socket.on("drain", send);
    socket.write(CHUNKED);
    send();
  },
  // Sends one a byte at a time.
  trickle(socket) {
    socket.write(CHUNKED);
    const timer = setInterval(() => socket.write("1\r\na\r\n"), 200);
    socket.on("close", () => clearInterval(timer));
  },
  // Sends the head of one a byte at a time.
  head(socket) {
    socket.write("HTTP/1.1 200 OK\r\nx: ");
    const timer = setInterval(() => socket.write("a"), 200);
    socket.on("close", () => clearInterval(timer));
  },
  // Answers, but takes its time.
  late: (socket) => setTimeout(() => socket.writable && socket.write(ANSWER), 100),
};

const misbehave = modes[process.argv[2]];
if (!misbehave) throw new Error(`no such mode: ${process.argv[2]}`);

let open = 0;
const server = createServer((socket) => {
  let read = "";
  let isCounted = false;
  socket.on("error", () => {});
  socket.on("close", () => (open -= isCounted ? 1 : 0));
  socket.on("data", (data) => {
    read += data;
    // None of these requests has a body.
    const requests = read.split("\r\n\r\n");
    read = requests.pop();
    for (const request of requests) {
      if (!request.startsWith("GET /auth/sessions?")) {
        socket.write(ANSWER);
        continue;
      }
      if (!isCounted) open += 1;
      isCounted = true;
      misbehave(socket);
    }
  });
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  process.send({ port: server.address().port });
});
process.on("message", () => process.send({ open }));
process.on("disconnect", () => process.exit());
