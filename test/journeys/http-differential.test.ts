/** Foreman beside other proxies, in front of the same target: it takes nothing that all refuse. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readAnswers } from "../support/ask.ts";
import { freePort } from "../support/free-port.ts";
import { malformedRequests } from "../support/malformed-requests.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { until } from "../support/until.ts";

const head = (...headers: string[]) =>
  `${["POST /api/show HTTP/1.1", ...headers].join("\r\n")}\r\n\r\n`;

const chunked = "Transfer-Encoding: chunked";

/** On these the proxies may well differ, or agree to take them. */
const doubtful: Readonly<Record<string, string>> = {
  "a sound request": `${head("Host: localhost", "Content-Length: 2")}{}`,
  "sound chunks": `${head("Host: localhost", chunked)}2\r\n{}\r\n0\r\n\r\n`,
  "a chunk extension": `${head("Host: localhost", chunked)}2;a=b\r\n{}\r\n0\r\n\r\n`,
  "a trailer": `${head("Host: localhost", chunked)}2\r\n{}\r\n0\r\nX-T: 1\r\n\r\n`,
  "two Hosts": `${head("Host: localhost", "Host: localhost", "Content-Length: 2")}{}`,
  "no Host": `${head("Content-Length: 2")}{}`,
  "an empty line first": `\r\n${head("Host: localhost", "Content-Length: 2")}{}`,
  "a tab around the coding": `${head("Host: localhost", "Transfer-Encoding:\tchunked\t")}0\r\n\r\n`,
  "an empty coding": `${head("Host: localhost", "Transfer-Encoding:")}`,
  "an empty length": `${head("Host: localhost", "Content-Length:")}`,
  "a length with zeros": `${head("Host: localhost", "Content-Length: 002")}{}`,
  "a length with a space inside": `${head("Host: localhost", "Content-Length: 1 0")}{}`,
  "a header without a name": `${head("Host: localhost", ": x", "Content-Length: 2")}{}`,
  "a header with a slash": `${head("Host: localhost", "X/Y: x", "Content-Length: 2")}{}`,
  "a vertical tab in the coding": `${head("Host: localhost", "Transfer-Encoding: \vchunked")}0\r\n\r\n`,
  "a chunk size in 0x": `${head("Host: localhost", chunked)}0x2\r\n{}\r\n0\r\n\r\n`,
  "a chunk size with a space first": `${head("Host: localhost", chunked)} 2\r\n{}\r\n0\r\n\r\n`,
  "two spaces in the request line": "GET  /api/show HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "a space in the target": "GET /api/a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "a scheme of another kind": "GET ftp://localhost/api/show HTTP/1.1\r\nHost: localhost\r\n\r\n",
};

const corpus = {
  ...Object.fromEntries(
    Object.entries(malformedRequests).map(([what, [, bytes]]) => [what, bytes]),
  ),
  ...doubtful,
};

const hasTool = (command: string, flag: string) => spawnSync(command, [flag]).error === undefined;

test("H12 foreman takes no framing that nginx and haproxy both refuse", async ({ skip }) => {
  if (!hasTool("nginx", "-v")) skip("nginx is not installed");
  if (!hasTool("haproxy", "-v")) skip("haproxy is not installed");
  const recorder = await startRecorder();
  const folder = await mkdtemp(join(tmpdir(), "foreman-proxies-"));
  const nginx = await startProxy(folder, "nginx", nginxSettings(folder, recorder));
  const haproxy = await startProxy(folder, "haproxy", haproxySettings(recorder));
  const foreman = await startForeman(`http://127.0.0.1:${recorder}`);

  const verdicts = await Promise.all(
    Object.entries(corpus).map(async ([what, bytes]) => {
      const [ours, ...theirs] = await Promise.all(
        [foreman.port, nginx, haproxy].map((port) => isTaken(port, bytes)),
      );
      return { what, ours, theirs };
    }),
  );

  const laxer = verdicts.filter(({ ours, theirs }) => ours && !theirs.includes(true));
  expect(laxer).toEqual([]);
  const sound = verdicts.filter(({ what }) => ["a sound request", "sound chunks"].includes(what));
  expect(sound.map(({ ours, theirs }) => [ours, ...theirs])).toEqual(
    Array(2).fill([true, true, true]),
  );
});

/** Whether the recorder's answer came; a proxy that waits for more has not taken the request. */
async function isTaken(port: number, bytes: string): Promise<boolean> {
  const client = new RawClient(port).send(bytes);
  const answer = () => readAnswers(client.text).find(({ statusCode }) => statusCode >= 200);
  await until("a verdict", () => client.isOver || answer() !== undefined, 1_000).catch(() => {});
  client.leave();
  return answer()?.statusCode === 200;
}

async function startRecorder(): Promise<number> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume().once("end", () => outgoing.end("taken"));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

type Settings = (port: number) => { readonly text: string; readonly flags: readonly string[] };

async function startProxy(folder: string, command: string, settings: Settings): Promise<number> {
  const port = await freePort();
  const { flags, text } = settings(port);
  const file = join(folder, `${command}.conf`);
  await writeFile(file, text);
  const child: ChildProcess = spawn(command, [...flags, file], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await until(`${command} listens`, () => canConnect(port));
  return port;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () =>
      resolve(false),
    );
    socket.once("connect", () => socket.destroy());
  });
}

function nginxSettings(folder: string, target: number): Settings {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((what) => `${what}_temp_path ${folder}/${what};`)
    .join(" ");
  return (port) => ({
    flags: ["-e", `${folder}/nginx.log`, "-p", folder, "-c"],
    text: `daemon off; master_process off; pid ${folder}/nginx.pid; events {}
      http { access_log off; ${temporary} server { listen 127.0.0.1:${port};
      location / { proxy_pass http://127.0.0.1:${target}; } } }`,
  });
}

function haproxySettings(target: number): Settings {
  return (port) => ({
    flags: ["-db", "-f"],
    text: [
      ...["defaults", "  mode http", "  timeout connect 1s", "  timeout client 2s"],
      ...["  timeout server 2s", "listen front", `  bind 127.0.0.1:${port}`],
      ...[`  server recorder 127.0.0.1:${target}`, ""],
    ].join("\n"),
  });
}
