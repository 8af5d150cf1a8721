export default {
  // Node.js loads the package on the server, out of node_modules.
  serverExternalPackages: ["gridkey"],
};
