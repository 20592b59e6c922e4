/** A 3390 on an image of Hercules, in memory. */
import { DiskImage } from "../image/disk-image.js";
import { type HerculesImage, herculesDisk } from "../image/hercules.test.fixture.js";
import { Dasd3390, type Dasd3390Options } from "./dasd-3390.js";

export async function attached(
  name: HerculesImage = "loaded.ckd",
  access: "read-only" | "read-write" = "read-write",
  options: Dasd3390Options = {},
) {
  const files = herculesDisk(name);
  const image = await DiskImage.open(name, { access, disk: files });
  return { files, image, device: new Dasd3390(image, options) };
}
