// Parses and validates an AsyncAPI document; ends with status 1 and the faults where it is not
// valid.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'));
const errors = diagnostics.filter((one) => one.severity === 0);
for (const one of errors) console.error(`${one.path.join('/')}: ${one.message}`);
if (!document || errors.length > 0) process.exit(1);
console.log(`AsyncAPI ${document.version()}: ${document.operations().length} operations, ` +
            `${document.allMessages().length} messages, no error`);
