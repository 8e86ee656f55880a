import fc from "fast-check";
import { expect, it } from "vitest";
import { findDuplicateKey } from "../../src/util/duplicate-key.ts";

it("finds no duplicates in JSON.stringify's output", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, "\t"), (value, space) => {
      expect(findDuplicateKey(JSON.stringify(value, null, space))).toBe(null);
    }),
  );
});

it.each([
  ['{"a":1,"a":1}', "a"],
  ['{"a":{"b":1},"a" :2}', "a"],
  ['{"x":[{"b":1,"c":2,"b":3}]}', "b"],
  ['{"\\u0061":1,"a":2}', "a"],
  ['{"a\\"":1,\n "a\\""\n:2}', 'a"'],
  ['{"__proto__":1,"__proto__":2}', "__proto__"],
])("finds the duplicate key in %s", (json, key) => {
  expect(findDuplicateKey(json)).toBe(key);
});

it.each([
  '{"a":{"a":1},"b":{"a":2}}',
  '[{"a":1},{"a":1}]',
  '{"a":"a","b":"a"}',
  '{"a":["a","a"]}',
  '{"a":"\\"b\\":1,\\"b\\":2"}',
  '{"a":"{","b":"}","c":1}',
  '{"a\\\\":1,"a":2}',
  '"a"',
])("accepts %s", (json) => {
  expect(findDuplicateKey(json)).toBe(null);
});
