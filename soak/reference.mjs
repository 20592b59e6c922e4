// What the programs compute when nobody disturbs them: in a process of their own on Dawn, without any projection.

import { start } from "./children.mjs";
import { commandOf, digestOfReport } from "./resident.mjs";
import { SEEDS } from "./seeds.mjs";

export async function referenceOf(program, adapter) {
  const digests = [];
  const own = commandOf(program)[0].startsWith("soak");
  const child = start(
    [
      "examples/in-process.mjs",
      ...(adapter === "software" ? ["--software"] : []),
      ...commandOf(program),
      ...(own ? ["--rounds", String(SEEDS)] : []),
    ],
    {
      onLine: (line) => {
        if (!own) digests[0] = digestOfReport(line);
        else if (line.includes('"digest"')) digests.push(JSON.parse(line).digest);
      },
    },
  );
  const how = await child.ended;
  if (how !== 0 || digests.length < (own ? SEEDS : 1))
    throw new Error(`${program} does not run undisturbed (${how}): ${child.errors.join("\n")}`);
  return digests;
}
