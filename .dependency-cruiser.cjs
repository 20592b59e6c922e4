// The arrows of the house (docs/architecture.md): data flows down, imports point down only.
const may = {
  core: [],
  explorer: ["core"],
  protocol: [],
  buses: ["core", "protocol"],
  vfio: ["core", "buses"],
  ccw: ["core", "buses", "vfio"],
  guest: ["core", "protocol", "buses"],
  client: ["protocol"],
  engine: ["protocol"],
  host: ["core", "protocol", "buses", "vfio"],
};

const arrows = Object.entries(may).map(([from, to]) => ({
  name: `${from}-imports-down-only`,
  severity: "error",
  comment: `${from} may import ${to.length === 0 ? "no other package" : to.join(", ")}`,
  from: { path: `^packages/${from}/src`, pathNot: "\\.test\\." },
  to: { path: `^packages/(?!(${[from, ...to].join("|")})/)` },
}));

module.exports = {
  forbidden: [
    ...arrows,
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-deep-imports",
      severity: "error",
      comment: "packages meet at their index, never inside each other's src or dist",
      from: { path: "^packages/([^/]+)/" },
      to: {
        path: "^packages/[^/]+/(src|dist)/.+",
        pathNot: ["^packages/$1/", "/dist/(index|register)\\.(d\\.ts|js)$"],
      },
    },
    {
      name: "dawn-in-the-engine-only",
      severity: "error",
      from: { path: "^packages/(?!engine/)", pathNot: "\\.test\\.ts$" },
      to: { path: "node_modules/webgpu/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/.*\\.test\\." },
    includeOnly: "^(packages|node_modules)",
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "node", "default"],
    },
  },
};
