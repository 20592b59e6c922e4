/** Litmus tests: a few tasks, a few operations each, under names that the literature on memory models gave them. */
import { type CellsProgram, defineCells } from "../define.js";
import { add, exchange, type Instruction, load, store } from "../program.js";

export interface Litmus {
  readonly name: string;
  /** Per task its operations: `x` reads, `x=1` writes, `x+` adds one, `x~1` exchanges. */
  readonly tasks: readonly string[];
  /** Traces. */
  readonly traces: number;
  /** Traces with a schedule of at most 0, 1, 2, … preemptions. */
  readonly bounded: readonly number[];
}

/** Counts as in GenMC's tests ("litmus"; sequential consistency with coherence order, and bounds by context). */
export const litmusTests: readonly Litmus[] = [
  { name: "SB", tasks: ["x=1 y", "y=1 x"], traces: 3, bounded: [2, 3] },
  { name: "MP", tasks: ["x=1 y=1", "y x"], traces: 3, bounded: [2, 3] },
  { name: "LB", tasks: ["x y=1", "y x=1"], traces: 3, bounded: [2, 3] },
  { name: "S", tasks: ["x=2 y=1", "y x=1"], traces: 3, bounded: [2, 3] },
  { name: "2+2W", tasks: ["x=1 y=2", "y=1 x=2"], traces: 3, bounded: [2, 3] },
  { name: "LB3", tasks: ["a b=1", "b c=1", "c a=1"], traces: 7, bounded: [6, 7] },
  { name: "RWC", tasks: ["x=1", "x y", "y=1 x"], traces: 7, bounded: [6, 7] },
  { name: "W+RWC", tasks: ["x=1 z=1", "z y", "y=1 x"], traces: 7, bounded: [6, 7] },
  { name: "ISA2", tasks: ["a=1 b=1", "b c=1", "c a"], traces: 7, bounded: [6, 7] },
  { name: "Z6", tasks: ["a=1 b=1", "b c=1", "c=2 a"], traces: 7, bounded: [6, 7] },
  { name: "Z6.U", tasks: ["x=1 y=1", "y+ y", "y=3 x"], traces: 18, bounded: [6, 15, 18] },
  { name: "IRIW", tasks: ["x=1", "x y", "y x", "y=1"], traces: 15, bounded: [14, 15] },
  { name: "IRIWish", tasks: ["x=1", "x y=1", "x y", "y x"], traces: 27, bounded: [18, 27] },
  { name: "CoRR", tasks: ["x=1 x=2", "x x"], traces: 6, bounded: [2, 4, 6] },
  { name: "CoRR0", tasks: ["x=1", "x", "x"], traces: 4, bounded: [4] },
  { name: "CoRR1", tasks: ["x=1", "x=2", "x x", "x"], traces: 36, bounded: [18, 36] },
  { name: "CoRR2", tasks: ["x=1", "x=2", "x x", "x x"], traces: 72, bounded: [18, 54, 72] },
  { name: "CoWR", tasks: ["x=1 x", "x=2"], traces: 3, bounded: [2, 3] },
  { name: "CoRW", tasks: ["x x=1", "x=2"], traces: 3, bounded: [2, 3] },
  { name: "2CoWR", tasks: ["y", "x", "x=1", "y=1"], traces: 4, bounded: [4] },
  { name: "JLT", tasks: ["x=1 y x", "x=2 x", "y=3"], traces: 8, bounded: [4, 8] },
  { name: "MP2", tasks: ["a=1 c=1 b=1 d=1", "b a", "d c"], traces: 9, bounded: [4, 9] },
  { name: "WWmerge1", tasks: ["x y", "x=1 x=2", "y=1 x"], traces: 15, bounded: [6, 13, 15] },
  { name: "WWmerge2", tasks: ["x y", "x=2", "y=1 x"], traces: 7, bounded: [6, 7] },
  { name: "relseq", tasks: ["x=1 y=1 y=2", "y~3", "y x"], traces: 16, bounded: [6, 15, 16] },
  { name: "viktor-relseq", tasks: ["l+ l+", "l+ l+", "l+", "l+"], traces: 180, bounded: [24, 96, 180] },
  { name: "rel-B-cumul", tasks: ["x=1 y=1", "y z=1", "z x", "y"], traces: 14, bounded: [12, 14] },
  { name: "detour", tasks: ["x=1", "z x=2 x y=1", "y z=1"], traces: 9, bounded: [4, 9] },
  { name: "default", tasks: ["x x", "x=1", "x=2"], traces: 12, bounded: [6, 12] },
  { name: "small0", tasks: ["x", "x x=1", "x=2"], traces: 9, bounded: [6, 9] },
  { name: "small1", tasks: ["y z x", "x=1", "y=1 z=1"], traces: 8, bounded: [4, 8] },
  { name: "LB+fr-fr", tasks: ["x y=1", "y y x=1", "y=2"], traces: 16, bounded: [6, 15, 16] },
  { name: "LB+incMPs", tasks: ["x z+", "z+ y=1", "y w+", "w+ x=1"], traces: 15, bounded: [14, 15] },
  { name: "MP+incMP", tasks: ["y z+", "z+ x", "x=1 y=1"], traces: 7, bounded: [6, 7] },
  { name: "W+RRR+W", tasks: ["x=1", "x x x", "x=2"], traces: 20, bounded: [6, 18, 20] },
  {
    name: "fr+w+w+w+reads",
    tasks: ["x=1", "x=2", "x=3", "x x x x"],
    traces: 210,
    bounded: [24, 132, 204, 210],
  },
  {
    name: "inc+inc+RR+W+RR",
    tasks: ["x+", "x+", "x x", "x=42", "x x"],
    traces: 600,
    bounded: [96, 384, 600],
  },
];

/** The program of a litmus test. */
export function litmus({ tasks }: Litmus): CellsProgram {
  const names = new Set(tasks.flatMap((task) => task.split(" ").map(cellOf)));
  return defineCells({
    cells: Object.fromEntries([...names].map((name) => [name, 0])),
    tasks: tasks.map((task) => task.split(" ").map(instructionOf)),
  });
}

function cellOf(operation: string): string {
  return operation.split(/[=+~]/)[0]!;
}

function instructionOf(operation: string): Instruction {
  const cell = cellOf(operation);
  const value = Number(operation.slice(cell.length + 1));
  switch (operation.charAt(cell.length)) {
    case "=":
      return store(cell, value);
    case "+":
      return add(cell, 1);
    case "~":
      return exchange(cell, value);
    default:
      return load(cell);
  }
}
