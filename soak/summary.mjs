// The table that the documentation shows.
import Table from "cli-table3";

export function markdown(result) {
  const lines = [
    `Seed ${result.seed}, ${result.minutes} minutes, ${result.adapter}; ${result.machine}. ` +
      `${result.rounds} rounds, each compared with an undisturbed run on Dawn in process: ${result.wrong} wrong. ` +
      `${result.troubles} disturbances, ${result.lost} devices lost to them, ${result.stuck} promises stuck, ${result.leaks.length} leaks.`,
    "",
    "| program | rounds | devices lost | refused | longest pause | faults |",
    "|---|---|---|---|---|---|",
    ...result.programs.map(
      ({ program, rounds, lost, refused, longestGapMs, faults }) =>
        `| ${program} | ${rounds} | ${lost} | ${refused} | ${(longestGapMs / 1000).toFixed(1)} s | ${faults.length} |`,
    ),
    "",
    "| disturbance | times | answered with an error |",
    "|---|---|---|",
    ...result.kinds.map(({ name, times, errors }) => `| ${name} | ${times} | ${errors} |`),
  ];
  return lines.join("\n");
}

export function text(result) {
  const programs = new Table({
    head: ["program", "rounds", "lost", "refused", "longest pause", "faults"],
    style: { head: [] },
  });
  for (const { program, rounds, lost, refused, longestGapMs, faults } of result.programs)
    programs.push([program, rounds, lost, refused, `${(longestGapMs / 1000).toFixed(1)} s`, faults.length]);
  const kinds = new Table({ head: ["disturbance", "times", "errors"], style: { head: [] } });
  for (const { name, times, errors } of result.kinds) kinds.push([name, times, errors]);
  return `${programs}\n${kinds}`;
}
