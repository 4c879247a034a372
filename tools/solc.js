#!/usr/bin/env node
// The npm build of solc behind the command line that py-solc-x, Ape and Slither call: --version, --standard-json.
const fs = require("fs");
const solc = require("solc");

// The WebAssembly build prints the AST ids of built-in names unsigned (-15 as 4294967281); Slither needs them signed.
function signed(key, value) {
  return typeof value === "number" && value > 0x7fffffff ? value - 2 ** 32 : value;
}

function write(text) {
  for (let data = Buffer.from(text), done = 0; done < data.length; ) {
    try {
      done += fs.writeSync(1, data, done);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error; // a full pipe: its reader needs a moment
    }
  }
}

if (process.argv.includes("--version")) {
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (process.argv.includes("--standard-json")) {
  const output = JSON.parse(solc.compile(fs.readFileSync(0, "utf8")));
  for (const source of Object.values(output.sources || {})) {
    if (source.ast) source.ast = JSON.parse(JSON.stringify(source.ast), signed);
  }
  write(JSON.stringify(output));
} else {
  process.stderr.write("solc.js: only --version and --standard-json are supported\n");
  process.exitCode = 2;
}
