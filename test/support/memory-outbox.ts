import type { JobId } from "../../src/job.ts";
import {
  type DueDeliveries,
  type Outbox,
  originsMax,
  tryAgainMsMax,
} from "../../src/store/outbox.ts";
import type { MemoryDelivery, MemoryDisk } from "./memory-disk.ts";

/** The outbox of a store without a disk. */
export class MemoryOutbox implements Outbox {
  readonly #disk: MemoryDisk;
  readonly #may: { read(): void; write(): void };

  constructor(disk: MemoryDisk, may: { read(): void; write(): void }) {
    this.#disk = disk;
    this.#may = may;
  }

  async due(nowMs: number, perOrigin: number): Promise<DueDeliveries> {
    this.#may.read();
    const isDue = (atMs: number) => atMs <= nowMs || atMs > nowMs + tryAgainMsMax;
    const heads = [...this.#disk.outbox.values()].filter(({ nextAtMs }) => nextAtMs !== null);
    const due = heads.filter(({ nextAtMs }) => isDue(nextAtMs!));
    const ahead = heads.map(({ nextAtMs }) => nextAtMs!).filter((atMs) => atMs > nowMs);
    const origins = new Set(heads.map(({ url }) => new URL(url).origin).sort());
    const deliveries = [...origins].slice(0, originsMax).flatMap((origin) =>
      due
        .filter(({ url }) => new URL(url).origin === origin)
        .sort((a, b) => a.nextAtMs! - b.nextAtMs! || a.seq - b.seq)
        .slice(0, perOrigin)
        .map(({ nextAtMs: _nextAtMs, ...delivery }) => delivery),
    );
    return { deliveries, nextAtMs: ahead.length > 0 ? Math.min(...ahead) : null };
  }

  async noteDelivered(seq: number): Promise<void> {
    this.#may.write();
    this.#remove(seq);
  }

  async noteFailed(seq: number, nextAtMs: number): Promise<void> {
    this.#may.write();
    const delivery = this.#disk.outbox.get(seq);
    if (delivery) Object.assign(delivery, { tries: delivery.tries + 1, nextAtMs });
  }

  async giveUp(seq: number): Promise<void> {
    this.#may.write();
    const given = this.#remove(seq);
    const next = given && this.#ofJob(given.jobId)[0];
    if (given && next) next.tries = given.tries;
  }

  async endWebhook(seq: number): Promise<void> {
    this.#may.write();
    const delivery = this.#disk.outbox.get(seq);
    if (!delivery) return;
    this.#disk.webhooks.delete(delivery.jobId);
    for (const each of this.#ofJob(delivery.jobId)) this.#disk.outbox.delete(each.seq);
    const row = this.#disk.rows.get(delivery.jobId);
    if (row) row.deliveriesLeft = null;
  }

  async depth(): Promise<{ left: number; oldestAtMs: number | null }> {
    this.#may.read();
    const [oldest] = this.#disk.outbox.values();
    return { left: this.#disk.outbox.size, oldestAtMs: oldest?.transition.atMs ?? null };
  }

  #ofJob(id: JobId): MemoryDelivery[] {
    return [...this.#disk.outbox.values()].filter(({ jobId }) => jobId === id);
  }

  #remove(seq: number): MemoryDelivery | null {
    const delivery = this.#disk.outbox.get(seq);
    if (!delivery) return null;
    this.#disk.outbox.delete(seq);
    const row = this.#disk.rows.get(delivery.jobId);
    if (row) row.deliveriesLeft = (row.deliveriesLeft ?? 0) - 1;
    const [next] = this.#ofJob(delivery.jobId);
    if (next) next.nextAtMs = 0;
    return delivery;
  }
}
