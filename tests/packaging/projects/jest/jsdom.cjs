const { TestEnvironment } = require("jest-environment-jsdom");

/** What every browser has, and Jest's jsdom lacks. */
module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, { TextDecoder, TextEncoder });
  }
};
