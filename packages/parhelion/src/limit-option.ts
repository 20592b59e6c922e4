/** `--limit RULE=NUMBER`: a limit of the host, by its rule's name. */
import { InvalidArgumentError } from "commander";

export interface LimitWish {
  readonly rule: string;
  readonly limit: number;
}

/** Whether there is such a rule is seen when the host starts, which knows them. */
export function limitWish(value: string, before: readonly LimitWish[] = []): readonly LimitWish[] {
  const [, rule = "", digits = ""] = /^([A-Za-z]+)=(\d{1,15})$/.exec(value) ?? [];
  if (rule === "") throw new InvalidArgumentError("Write RULE=NUMBER, for example guests=1000.");
  return [...before, { rule, limit: Number(digits) }];
}
