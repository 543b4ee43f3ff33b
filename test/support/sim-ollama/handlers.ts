import { handleMe, handleRecommendations, handleSignout, handleWebTool } from "./handle-account.ts";
import { handleBlobHead, handleBlobUpload } from "./handle-blobs.ts";
import { handleCopy, handleDelete } from "./handle-copy-delete.ts";
import { handleCreate } from "./handle-create.ts";
import { handleEmbed, handleEmbeddings, handleOpenaiEmbed } from "./handle-embed.ts";
import {
  handleOpenaiModel,
  handleOpenaiModels,
  handlePs,
  handleRoot,
  handleShow,
  handleStatus,
  handleTags,
  handleVersion,
} from "./handle-inventory.ts";
import { handlePull, handlePush } from "./handle-library.ts";
import { handleMessages } from "./handle-messages.ts";
import { handleChat, handleGenerate } from "./handle-native.ts";
import { handleCompletion, handleOpenaiChat } from "./handle-openai.ts";
import { handleResponses } from "./handle-responses.ts";
import { handleTranscription } from "./handle-transcription.ts";
import type { Handler } from "./sim-core.ts";

const byRoute: Readonly<Record<string, Handler>> = {
  "/": handleRoot,
  "/api/version": handleVersion,
  "/api/status": handleStatus,
  "/api/pull": handlePull,
  "/api/push": handlePush,
  "/api/tags": handleTags,
  "/api/show": handleShow,
  "/api/delete": handleDelete,
  "/api/me": handleMe,
  "/api/signout": handleSignout,
  "/api/user/keys/:encodedKey": handleSignout,
  "/api/create": handleCreate,
  "/api/copy": handleCopy,
  "/api/experimental/web_search": handleWebTool,
  "/api/experimental/web_fetch": handleWebTool,
  "/api/experimental/model-recommendations": handleRecommendations,
  "/api/ps": handlePs,
  "/api/generate": handleGenerate,
  "/api/chat": handleChat,
  "/api/embed": handleEmbed,
  "/api/embeddings": handleEmbeddings,
  "/v1/chat/completions": handleOpenaiChat,
  "/v1/completions": handleCompletion,
  "/v1/embeddings": handleOpenaiEmbed,
  "/v1/models": handleOpenaiModels,
  "/v1/models/:model": handleOpenaiModel,
  "/v1/responses": handleResponses,
  "/v1/audio/transcriptions": handleTranscription,
  "/v1/messages": handleMessages,
};

/** The handler of a route of the table. */
export function handlerOf(route: string, method: string): Handler {
  if (route === "/api/blobs/:digest") return method === "HEAD" ? handleBlobHead : handleBlobUpload;
  const handler = byRoute[route];
  if (handler === undefined) throw new Error(`no handler for ${route}`);
  return handler;
}
