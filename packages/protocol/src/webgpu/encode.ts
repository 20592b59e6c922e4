/** All encoders under their commands' names: `encode.computePassEncoderDispatchWorkgroups(stream, pass, 64)`. */
export * from "./generated/command-encode.js";
export {
  bufferWriteMapped,
  commandEncoderCopyBufferToBuffer,
  queueWriteBuffer,
  queueWriteTexture,
} from "./write-data.js";
