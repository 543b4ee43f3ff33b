/** What profiles and trials found, for the report. Its figures are of 2026-11-28, on two shared cores. */
export const limits = `## Where the time goes, and what the limit is

**An embedding** costs foreman 120 to 185 µs of CPU, a bare proxy of node:http and undici 205 to 345,
nginx 19 to 23 (32 connections, three rounds). A node:http server that answers the same 16 KB from
memory, without any target, takes 21 to 40: as much as nginx for the whole. The bar of 0.4 of nginx is
55 µs, so 30 for everything that is not that server: undici's client, hono, metrics and foreman. Their
profile above is long and thin, its longest entry the write to the socket. One Node process will not
reach it; what an embedding model itself takes, some milliseconds, hides it (the rows with 5 ms).

**A relayed line** is a write to the client's socket (a third) and Node's parsing of a chunk; what
foreman itself does with it, counting and looking for the end, is some 6 %.

**The gap between two batch jobs** holds the way to the database's thread and back, and the writing of a
claim. It held the sync of that claim too, 0.5 to 0.65 ms of 1.46, until claims were answered before
their sync (docs/adr/0013).

**Memory when idle** is 155 to 159 MB, of which a bare Node with two threads takes 75: its program's pages
alone are 62 MB now. The main thread's objects are 24 MB; of the 3.6 MB of source that it reads, undici is
1.3 and zod 0.9, and the S3 client none until it is needed. A thread costs 16 MB, and there are two for
the database: with one, each long read would hold up the commits.
\`--max-semi-space-size=4\` took 40 MB off 2,000 waiting clients, and a fifth of the relayed lines per CPU
second: 0.82 and 0.66 of the bare proxy in two runs, against 0.88 and 0.92 with 16, which foreman has now.
One arena for malloc or fewer threads of V8's changed nothing beyond the noise.

**A slow reader** holds 16 MiB at most, then it is cut off; row 12 has several of them, one after the
other.`;
