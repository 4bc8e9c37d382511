// A reporter for node:test: one line of JSON for each test that ended, for whoever ran the file.
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const { name, nesting, skip, details } = data
    yield `${JSON.stringify({
      name,
      nesting,
      passed: type === 'test:pass',
      ...(skip !== undefined && { skip }),
      // A suite's time is that of its tests.
      ms: details.type === 'suite' ? 0 : details.duration_ms,
    })}\n`
  }
}
