// A guest's kernel in a process of its own, for the guest that $GUEST describes; prints `nodes` when it serves.
import { startGuestKernel } from "parhelion-guest";

const { vmbus, credential, directory } = JSON.parse(process.env.GUEST);
const kernel = await startGuestKernel({ connect: { path: vmbus }, credential, directory });
console.log("nodes");
process.once("SIGTERM", async () => {
  await kernel.stop();
  process.exit(0);
});
