/** `anteroom doctor`: finds what would not work on this machine, with the cure. */
import { exitCodes, type Command } from './arguments.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'checks the installation and the network, and says what to do',
  details: 'Exit code 1 if something will not work.',
  run: async (input) => {
    // Loaded on demand: the checks load the media server and the store, and other commands should not wait for those.
    const { examine } = await import('./doctor-checks.ts')
    const findings = await examine(input)
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
