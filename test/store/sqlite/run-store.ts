import { newJobId } from "../../../src/job.ts";
import { aJob } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";

// A second process for the tests: opens the store of the file that it is given, tells that, and
// inserts durable jobs one after another, telling each id that was acknowledged. It also tells a
// failure of the store and of a verb. Ends when it is killed, or cannot open the store.

const file = process.argv[2]!;
const bodyBytes = Number(process.argv[3]);
const tell = (line: string) => process.stdout.write(`${line}\n`);

const store = await openForTest(file, {
  onFatal: (failure) => tell(`fatal ${failure.code}`),
}).catch((failure) => {
  tell(`refused ${failure.code}`);
  process.exit(1);
});
tell("opened");
for (;;) {
  const job = aJob({ id: newJobId(Date.now()) });
  try {
    await store.insertJob(job, Buffer.alloc(bodyBytes, "x"));
    tell(`inserted ${job.id}`);
  } catch (error) {
    tell(`rejected ${(error as { code: string }).code}`);
    await store.heartbeat().catch((after) => tell(`then ${after.code}`));
    break;
  }
}
await new Promise((resolve) => setTimeout(resolve, 60_000));
