import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { gather } from "../../src/http/gather.ts";
import { headOf, received } from "./received.ts";

const announced = (bytes: number) =>
  headOf("POST /api/chat HTTP/1.1", [`Content-Length: ${bytes}`]);
const chunked = headOf("POST /api/chat HTTP/1.1", ["Transfer-Encoding: chunked"]);
const free = () => {};
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

describe("gathering a request's body", () => {
  test.each([
    ["with its length", `${announced(6)}abcdéf`],
    ["in chunks", `${chunked}${chunk("ab")}${chunk("cdéf")}0\r\n\r\n`],
  ])("gives its bytes as they came, %s", async (_, text) => {
    const { incoming } = await received(text);
    const pieces: Buffer[] = [];

    const body = await gather(
      { hold: free, incoming },
      { bytesMax: 6, onPiece: (piece) => pieces.push(piece) },
    );

    expect(body.toString("latin1")).toBe("abcdéf");
    expect(Buffer.concat(pieces)).toEqual(body);
  });

  test("gives nothing for a request without a body", async () => {
    const { incoming } = await received(headOf("POST /api/chat HTTP/1.1"));

    expect(await gather({ hold: free, incoming }, { bytesMax: 6 })).toHaveLength(0);
  });

  test("refuses what is announced as too large without waiting for a byte of it", async () => {
    const { incoming } = await received(announced(7));

    await expect(gather({ hold: free, incoming }, { bytesMax: 6 })).rejects.toMatchObject({
      code: "body_too_large",
      statusCode: 413,
      message: expect.stringContaining("FOREMAN_BODY_MAX (6 bytes)"),
    });
  });

  test("refuses chunks at the first byte too many, though more were to come", async () => {
    const { incoming } = await received(`${chunked}${chunk("abc")}${chunk("defg")}`);

    await expect(gather({ hold: free, incoming }, { bytesMax: 6 })).rejects.toMatchObject({
      code: "body_too_large",
    });
  });

  test.each([
    ["announced, before a byte of it came", announced(6), 6],
    ["chunked, as it comes", `${chunked}${chunk("abc")}`, 3],
  ])("takes memory for what is %s, and refuses when there is none", async (_, text, heldBytes) => {
    const full = new ForemanError("queue_full", "no memory left");
    const [granted, refused] = [await received(text), await received(text)];
    const held: number[] = [];
    const hold = (bytes: number) => void held.push(bytes);
    const gathering = gather({ hold, incoming: granted.incoming }, { bytesMax: 6 });
    const refusing = gather(
      {
        incoming: refused.incoming,
        hold: (bytes) => {
          if (bytes > 0) throw full;
        },
      },
      { bytesMax: 6 },
    );

    await expect(refusing).rejects.toBe(full);
    granted.socket.destroy();
    await expect(gathering).rejects.toMatchObject({ code: "bad_request" });
    expect(held.reduce((sum, bytes) => sum + bytes, 0)).toBe(heldBytes);
  });

  test("tells of a client that broke off in its body", async () => {
    const { incoming, socket } = await received(`${announced(6)}abc`);
    const gathering = gather({ hold: free, incoming }, { bytesMax: 6 });

    socket.destroy();

    await expect(gathering).rejects.toMatchObject({ code: "bad_request" });
  });
});
