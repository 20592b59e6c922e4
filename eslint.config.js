// Type-aware rules only: formatting and syntax rules are Biome's.
import tseslint from "typescript-eslint";

const moduleState = [
  {
    selector: "Program > VariableDeclaration[kind!='const']",
    message: "No module-level mutable state: hang it on the object that owns it.",
  },
  {
    selector: "Program > ExportNamedDeclaration > VariableDeclaration[kind!='const']",
    message: "No module-level mutable state: hang it on the object that owns it.",
  },
  // A `const` Map is as global as a `let`; a table that is never written is typed ReadonlyMap or ReadonlySet.
  ...["Program > VariableDeclaration", "Program > ExportNamedDeclaration > VariableDeclaration"].map(
    (where) => ({
      selector: `${where} > VariableDeclarator:not([id.typeAnnotation.typeAnnotation.typeName.name=/^Readonly/]) > NewExpression[callee.name=/^(Map|Set|WeakMap|WeakSet|Array|Uint8Array|Uint32Array|ArrayBuffer|SharedArrayBuffer)$/]`,
      message:
        "A module-level collection is global state: type it Readonly… if it is a table, else give it an owner.",
    }),
  ),
];

export default tseslint.config(
  {
    ignores: [
      "**/dist/**",
      "**/node_modules/**",
      "**/generated/**",
      "out/**",
      "**/*.mjs",
      "**/*.js",
      "**/*.cjs",
    ],
  },
  {
    files: ["packages/*/src/**/*.ts"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "no-restricted-syntax": ["error", ...moduleState],
    },
  },
  {
    files: ["packages/*/src/**/*.test.ts"],
    rules: { "@typescript-eslint/no-floating-promises": "off" },
  },
);
