// Jest's jsdom with what browsers have and jsdom has not.

const { TestEnvironment } = require("jest-environment-jsdom");

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of ["crypto", "TextDecoder", "TextEncoder"]) {
      Object.defineProperty(this.global, name, { value: globalThis[name], configurable: true });
    }
  }
};
