/**
 * Bytes that a texture's texels take. Block sizes are those of the WebGPU specification's format table; what a driver adds
 * for alignment, and how it really stores depth24plus or rgb9e5ufloat, is its own business.
 */
export interface TextureShape {
  readonly width: number;
  readonly height: number;
  readonly depthOrArrayLayers: number;
  readonly mipLevelCount: number;
  readonly sampleCount: number;
  readonly dimension: string;
  readonly format: string;
}

export function textureBytes(texture: TextureShape): number {
  const { bytes, width: blockWidth, height: blockHeight } = blockOf(texture.format);
  const volume = texture.dimension === "3d";
  let total = 0;
  for (let level = 0; level < texture.mipLevelCount; level++) {
    const width = Math.ceil(Math.max(1, Math.floor(texture.width / 2 ** level)) / blockWidth);
    const height = Math.ceil(Math.max(1, Math.floor(texture.height / 2 ** level)) / blockHeight);
    const depth = volume
      ? Math.max(1, Math.floor(texture.depthOrArrayLayers / 2 ** level))
      : texture.depthOrArrayLayers;
    total += width * height * depth * bytes;
  }
  return total * texture.sampleCount;
}

interface Block {
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
}

/** Formats whose name does not say it; 16 bytes a texel where even that is unknown, so that nothing counts too little. */
const irregular: Readonly<Record<string, number>> = {
  rgb9e5ufloat: 4,
  rgb10a2uint: 4,
  rgb10a2unorm: 4,
  rg11b10ufloat: 4,
  stencil8: 1,
  depth16unorm: 2,
  depth24plus: 4,
  // Where a driver has no 24 bits of depth it takes 32, beside the 8 of stencil.
  "depth24plus-stencil8": 5,
  depth32float: 4,
  "depth32float-stencil8": 8,
};

function blockOf(format: string): Block {
  const astc = /^astc-(\d+)x(\d+)-/.exec(format);
  if (astc !== null) return { bytes: 16, width: Number(astc[1]), height: Number(astc[2]) };
  if (/^(bc[14]-|etc2-rgb8|eac-r11)/.test(format)) return { bytes: 8, width: 4, height: 4 };
  if (/^(bc|etc2|eac)/.test(format)) return { bytes: 16, width: 4, height: 4 };
  const known = irregular[format];
  if (known !== undefined) return { bytes: known, width: 1, height: 1 };
  const plain = /^(r|rg|rgba|bgra)(8|16|32)(unorm|snorm|uint|sint|float)/.exec(format);
  const bytes = plain === null ? 16 : (plain[1]!.length * Number(plain[2])) / 8;
  return { bytes, width: 1, height: 1 };
}
