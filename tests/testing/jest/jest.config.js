module.exports = {
  projects: [
    { displayName: "node", testEnvironment: "node", testPathIgnorePatterns: ["/environment\\.test"] },
    { displayName: "jsdom", testEnvironment: "./environment.js" },
  ],
};
