import { describe, expect, test } from "vitest";
import { newJobId } from "../../src/job.ts";
import { JobChanges } from "../../src/queue/job-changes.ts";

const [job, other] = [newJobId(1), newJobId(1)];

describe("changes of a job", () => {
  test("are told to each that follows it, and to nobody else", () => {
    const changes = new JobChanges();
    const told: string[] = [];
    changes.follow(job, () => told.push("first"));
    changes.follow(job, () => told.push("second"));
    changes.follow(other, () => told.push("other"));

    changes.note(job);
    changes.note(newJobId(1));

    expect(told).toEqual(["first", "second"]);
  });

  test("are told no more to who stopped following, and still to the others", () => {
    const changes = new JobChanges();
    const told: string[] = [];
    const stop = changes.follow(job, () => told.push("first"));
    const stopOther = changes.follow(job, () => told.push("second"));

    stop();
    changes.note(job);
    stopOther();
    changes.note(job);
    const stopThird = changes.follow(job, () => told.push("third"));
    // Late, and about followers that are long gone.
    stop();
    stopOther();
    changes.note(job);
    stopThird();
    changes.note(job);

    expect(told).toEqual(["second", "third"]);
  });
});
