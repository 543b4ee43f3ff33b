/** What foreman adds to Via on the way to the target; a request that bears it has come back. */
export const viaToken = "1.1 foreman";
