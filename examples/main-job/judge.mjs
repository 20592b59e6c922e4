// Whether the main job's results are right: something was found, and what was found in the guests is what the same programs
// find without any projection.
import { isDeepStrictEqual } from "node:util";
import { comparePictures, compareResults } from "../compare.mjs";

/**
 * What counts as the same. A guest and Dawn in process run the same shaders on the same adapter: they should agree to the last
 * bit, and the tolerance only forgives a driver that is not deterministic. Other back ends sum in another order.
 */
export const TOLERANCES = {
  dawn: { score: 1e-6, pixels: 1e-3, relative: 1e-6, channel: 1 },
  reference: { score: 1e-3, pixels: 0.5, relative: 1e-3 },
};

/**
 * @param results what each program printed: faces, text and scene in the guests; plainFaces, plainText and plainScene in process
 *   on Dawn; cpuFaces by plain JavaScript and wasmText by WebAssembly
 * @returns {Promise<{differences: object[], problems: string[]}>} all is well when there is no problem
 */
export async function judge(results) {
  const { faces, text, scene, plainFaces, plainText, plainScene, cpuFaces, wasmText } = results;
  const differences = [
    differ("faces", "Dawn in process", TOLERANCES.dawn, faces, plainFaces),
    differ("faces", "TensorFlow.js CPU", TOLERANCES.reference, faces, cpuFaces),
    differ("text", "Dawn in process", TOLERANCES.dawn, text, plainText),
    differ("text", "ONNX Runtime wasm", TOLERANCES.reference, text, wasmText),
    await differInPixels("three.js frame", "Dawn in process", TOLERANCES.dawn, scene, plainScene),
  ];
  const problems = [
    ...faces.photos
      .filter(({ boxes }) => boxes.length === 0)
      .map(({ file }) => `no face was found in ${file}`),
    ...(text.lines.length === 0 ? [`no text was found in ${text.file}`] : []),
    ...otherAdapters([
      [faces, plainFaces],
      [text, plainText],
      [scene, plainScene],
    ]),
    ...differences
      .filter(({ verdict }) => verdict === "differs")
      .map(
        ({ program, against }) => `${program}: the guest differs from ${against} by more than the tolerance`,
      ),
  ];
  return { differences, problems };
}

/** How far two documents lie apart. What they have nothing of is undefined. */
function differ(program, against, tolerance, a, b) {
  const found = compareResults(a, b);
  const boxes = [...(found.photos ?? []), ...(found.boxes === undefined ? [] : [found.boxes])];
  const tensors = Object.values(found.tensors ?? {});
  const row = {
    program,
    against,
    score: largest([...boxes, ...(found.text === undefined ? [] : [found.text])], "largestScore"),
    pixels: largest(boxes, "largestPixels"),
    relative: largest(tensors, "largestRelative"),
    unlike: boxes.reduce((sum, { unmatched }) => sum + unmatched, found.text?.different.length ?? 0),
    tolerance,
  };
  const near = ["score", "pixels", "relative"].every(
    (measure) => row[measure] === undefined || row[measure] <= tolerance[measure],
  );
  return { ...row, verdict: near && row.unlike === 0 ? "same" : "differs" };
}

async function differInPixels(program, against, tolerance, a, b) {
  const found = await comparePictures(a.picture, b.picture);
  return {
    program,
    against,
    channel: found.largest,
    unlike: found.largest > tolerance.channel ? found.different : 0,
    tolerance,
    verdict: found.largest <= tolerance.channel ? "same" : "differs",
  };
}

function largest(comparisons, measure) {
  return comparisons.length === 0 ? undefined : Math.max(...comparisons.map((found) => found[measure]));
}

function otherAdapters(pairs) {
  return pairs
    .filter(([guest, plain]) => !isDeepStrictEqual(guest.adapter, plain.adapter))
    .map(
      ([guest, plain]) =>
        `${guest.program}: the guest ran on ${JSON.stringify(guest.adapter)}, the reference on ${JSON.stringify(plain.adapter)}`,
    );
}
