/** What a command does where there is no foreman, or one that cannot be believed. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { runCommand } from "../support/run-command.ts";

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const oneLine = (words: RegExp) => ({
  out: "",
  err: expect.stringMatching(new RegExp(`^foreman: [^\n]*${words.source}[^\n]*\n$`)),
});

describe("a command", () => {
  test("says in one line that nobody is there, and how to name another", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;

    expect(await runCommand(["status", "--url", url])).toEqual({
      exitCode: 69,
      ...oneLine(/cannot reach .*ECONNREFUSED.*FOREMAN_URL/),
    });
  });

  test("knows another program from a foreman, and follows nobody with its token", async () => {
    const asked: (string | undefined)[] = [];
    const elsewhere = await serve((request, response) => {
      asked.push(request.url);
      response.end("{}");
    });
    const url = await serve((request, response) => {
      if (request.url === "/jobs?limit=50") response.writeHead(307, { location: elsewhere });
      response.end("Ollama is running");
    });
    const env = { FOREMAN_URL: url, FOREMAN_CLIENT_TOKEN: "s3cret" };

    const refused = { exitCode: 76, ...oneLine(/no foreman of this version/) };
    expect(await runCommand(["status"], { env })).toEqual(refused);
    expect(await runCommand(["jobs"], { env })).toEqual(refused);
    expect(asked).toEqual([]);
  });

  test("passes a refusal on, made harmless, and says when it passes", async () => {
    const url = await serve((_, response) => {
      response.statusCode = 503;
      response.end('{"error":"the queue\\u001b[2J is full\\nof work"}');
    });

    expect(await runCommand(["submit", "--model", "m", "Why?", "--url", url])).toEqual({
      exitCode: 75,
      out: "",
      err: "foreman: not now: the queue is full of work\n",
    });
  });

  test.each([
    [["frobnicate"], {}, 64, /unknown command 'frobnicate'/],
    [["jobs", "--colour"], {}, 64, /unknown option '--colour'/],
    [["job"], {}, 64, /missing required argument 'id'/],
    [["serve", "--port", "1"], {}, 64, /unknown option/],
    [["cancel"], {}, 64, /--model, --client or --all/],
    [["status", "--watch", "0"], {}, 64, /--watch takes/],
    [["cancel", "."], {}, 64, /"\." names nothing: `foreman jobs`/],
    [["cancel", "01K0", ""], {}, 64, /"" names nothing/],
    [["job", ".."], {}, 64, /"\.\." names nothing/],
    [["batch", "retry", ""], {}, 64, /"" names nothing/],
    [["reject", "01K0", "."], {}, 64, /"\." names nothing/],
    [["providers", "off", ""], {}, 64, /"" names nothing/],
    [["ps", "--url", "ftp://box"], {}, 78, /--url is no http/],
    [["ps"], { FOREMAN_URL: "http://u:s3cret@box" }, 78, /FOREMAN_URL is no http/],
    [["ps"], { FOREMAN_CLIENT_TOKEN: "s3cret s3cret" }, 78, /holds no token/],
    [["ps", "--token-file", "/nowhere"], {}, 78, /--token-file cannot be read/],
  ])("called as %j with %j exits with %i and says why", async (args, env, exitCode, words) => {
    const ran = await runCommand(args, { env });

    expect(ran).toEqual({ exitCode, ...oneLine(words) });
    expect(ran.err).not.toContain("s3cret");
  });

  test("without a word prints what there is", async () => {
    const help = await runCommand([]);

    expect(help).toMatchObject({ exitCode: 0, err: "" });
    expect(await runCommand(["--help"])).toEqual(help);
    expect(help.out).toContain("submit");
  });
});
