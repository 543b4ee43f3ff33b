import { z } from "zod";

/** By the first letters of its base64, since Ollama's own form of an image names no type. */
const imageTypes: readonly (readonly [start: string, mediaType: string])[] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
];

const dataUrlStart = /^data:image\/[a-z0-9.+-]{1,32};base64,/i;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

const imageWords = "an image is the base64 of a PNG, JPEG, GIF or WebP";

/** The media type of an image in base64; null for one that no provider reads. */
export function imageTypeOf(image: string): string | null {
  return imageTypes.find(([start]) => image.startsWith(start))?.[1] ?? null;
}

/**
 * The base64 in a `data:` URL, or of an image that comes as base64 alone; null for anything else. A
 * URL that would have to be fetched is none: foreman and Ollama fetch nothing.
 */
export function readImage(text: string): string | null {
  const bare = text.slice(dataUrlStart.exec(text)?.[0].length ?? 0);
  return imageTypeOf(bare) !== null && base64.test(bare) ? bare : null;
}

const image = z.string().refine((text) => readImage(text) !== null, { error: imageWords });

const textPart = z.object({ type: z.literal("text"), text: z.string() });

const imagePart = z.object({
  type: z.literal("image_url"),
  image_url: z.object({
    url: z.string().refine((url) => dataUrlStart.test(url) && readImage(url) !== null, {
      error: `${imageWords}, in a data: URL; foreman fetches none`,
    }),
  }),
});

/**
 * One message of a conversation, with images as OpenAI's clients send them (parts) or as Ollama's
 * do (`images`). No role `tool`, since no tools are offered here: `/v1/chat/completions` has them.
 */
export const message = z
  .object({
    role: z.enum(["system", "user", "assistant"]),
    content: z.union(
      [z.string(), z.array(z.discriminatedUnion("type", [textPart, imagePart])).min(1)],
      { error: "Input should be a string, or a list of text and image_url parts" },
    ),
    images: z.array(image).nullish(),
  })
  .meta({ id: "Message" });
