import { MemoryDisk } from "../support/memory-disk.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { storeContract } from "./contract.ts";

// A second store on the same folder finds what the first kept, as on a disk.
const disks = new Map<string, MemoryDisk>();

storeContract("the store in memory", async (folder) => {
  const disk = disks.get(folder) ?? new MemoryDisk();
  disks.set(folder, disk);
  return new MemoryStore(disk);
});
