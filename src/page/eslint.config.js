import js from "@eslint/js";
import globals from "globals";
import typescript from "typescript-eslint";

export default typescript.config(
  { ignores: ["node_modules"] },
  js.configs.recommended,
  ...typescript.configs.recommended,
  { files: ["test/**"], rules: { "@typescript-eslint/no-explicit-any": "off" } },
  { languageOptions: { globals: globals.browser }, rules: { eqeqeq: "error", "no-var": "error", "prefer-const": "error" } },
);
