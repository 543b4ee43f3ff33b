// Loaded into a daemon by `--import`: at SIGUSR2 it has an error that nobody foresaw.
process.on("SIGUSR2", () => {
  setImmediate(() => {
    throw new Error("nobody foresaw this");
  });
});
