/** `anteroom doctor`: finds what would not work on this machine, with the cure. */
import { exitCodes, type Command } from './arguments.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'checks the installation and the network, and says what to do',
  details:
    'With --from, it checks a running server from this network instead, on whichever machine: its media ports over UDP and TCP, the address that it announces and the one that it sees, and its TURN servers.\nExit code 1 if something will not work.',
  options: {
    from: {
      value: 'address',
      help: 'of a running server, as people open it: https://meet.example.org',
    },
  },
  run: async (input) => {
    const { from } = input.values
    // Loaded on demand: the checks load the media server and the store, and other commands should not wait for those.
    const findings =
      typeof from === 'string'
        ? await (await import('./doctor-from.ts')).examineFrom(from)
        : await (await import('./doctor-checks.ts')).examine(input)
    const mark = { good: '✓', note: '!', bad: '✗' }
    return {
      json: findings,
      text: findings
        .map(({ check, verdict, says }) => `${mark[verdict]} ${check.padEnd(12)} ${says}`)
        .join('\n'),
      exitCode: findings.some(({ verdict }) => verdict === 'bad') ? exitCodes.failed : exitCodes.ok,
    }
  },
}
