/** `anteroom doctor`: what would not work on this machine, each with the cure. */
import { exitCodes, type Command } from './arguments.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'checks what installs and networks get wrong, and says what to do',
  details: 'Exit code 1 when something will not work.',
  run: async (input) => {
    // The checks load the media server and the store, which no other command should wait for.
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
