// A reporter for node:test: prints one line of JSON per finished test, for the process that runs the file.
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const { name, nesting, skip, details } = data
    yield `${JSON.stringify({
      name,
      nesting,
      passed: type === 'test:pass',
      ...(skip !== undefined && { skip }),
      // The time of a suite is the time of its tests.
      ms: details.type === 'suite' ? 0 : details.duration_ms,
    })}\n`
  }
}
