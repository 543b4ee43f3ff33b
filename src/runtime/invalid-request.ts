import { ForemanError } from "../errors.ts";
import type { Problem } from "../wire/problem.ts";

/** The refusal of a malformed request, which names each of its problems; there is at least one. */
export function invalidRequest(problems: readonly Problem[]): ForemanError {
  const told = problems.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`);
  return new ForemanError("invalid_request", told.join("; "), { problems });
}
