import type { PackedItems } from "../../store/batch-store.ts";
import type { BatchReading } from "./read-batch.ts";

/** Each upload has a number of its own; several may be under way. */
export type ToIngest =
  | { readonly kind: "bytes"; readonly upload: number; readonly chunk: Uint8Array }
  | { readonly kind: "end"; readonly upload: number }
  /** Nothing more will come of it. */
  | { readonly kind: "forget"; readonly upload: number };

export type FromIngest =
  | { readonly kind: "items"; readonly upload: number; readonly items: PackedItems }
  /** So many bytes more were read. */
  | { readonly kind: "taken"; readonly upload: number; readonly bytes: number }
  /** The last word on an upload; it may come before the upload's end. */
  | { readonly kind: "reading"; readonly upload: number; readonly reading: BatchReading }
  /** The same of one that could not be read, by a fault of foreman's. */
  | { readonly kind: "failed"; readonly upload: number; readonly cause: string };

export type IngestLimits = { readonly itemsMax: number; readonly itemBytesMax: number };
