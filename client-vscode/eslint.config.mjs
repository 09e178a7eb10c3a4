import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/**", "src/generated/**", "*.mjs"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // numbers are written into texts all over a user interface
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `() => void post(...)` is how an event is answered
      "@typescript-eslint/no-confusing-void-expression": "off",
      "no-restricted-properties": ["error",
        { property: "innerHTML", message: "build elements, or go through markdown.ts" },
        { property: "outerHTML", message: "build elements, or go through markdown.ts" },
        { property: "insertAdjacentHTML", message: "build elements, or go through markdown.ts" }],
      "no-restricted-globals": ["error", "fetch", "XMLHttpRequest", "WebSocket"],
    },
  },
);
