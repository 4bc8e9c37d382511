import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter, Histogram, Registry } from 'prom-client'
import { Answers } from './answers.ts'

const NAMES = ['anteroom_http_requests_total', 'anteroom_http_request_seconds']

test('writes answers exactly like the library', async () => {
  const [ours, library] = [new Registry(), new Registry()]
  const answers = new Answers(ours)
  const registers = [library]
  const counter = new Counter({
    registers,
    name: NAMES[0]!,
    help: 'h',
    labelNames: ['method', 'route', 'status'],
  })
  const buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2]
  const histogram = new Histogram({ registers, name: NAMES[1]!, help: 'h', labelNames: ['route'], buckets })
  const lines = async (registry: Registry): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('# HELP'))
  const both = async (): Promise<void> =>
    assert.deepEqual((await lines(ours)).toSorted(), (await lines(library)).toSorted())
  await both()
  for (const [method, route, status, seconds] of [
    ['GET', '/a', 200, 0.0005],
    ['GET', '/a', 200, 0.001],
    ['GET', '/a', 404, 0.03],
    ['POST', '/a', 200, 1.5],
    ['GET', '/v2/rooms/:id', 200, 7],
    ['GET', '/"quoted"\\', 200, 0],
  ] as const) {
    answers.add(method, route, status, seconds)
    counter.inc({ method, route, status })
    histogram.observe({ route }, seconds)
    await both()
  }
})
