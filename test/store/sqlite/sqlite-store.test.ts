import { join } from "node:path";
import { storeContract } from "../contract.ts";
import { openForTest } from "./open-for-test.ts";

storeContract("the SQLite store", (folder) => openForTest(join(folder, "foreman.db")));
