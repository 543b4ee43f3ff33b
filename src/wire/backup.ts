import { z } from "zod";

/** `POST /foreman/backup` answers. */
export const backupMade = z
  .object({ name: z.string(), bytes: z.int().min(0) })
  .meta({ id: "Backup" });
