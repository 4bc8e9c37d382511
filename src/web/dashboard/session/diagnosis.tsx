import { useQuery } from '../query.ts'
import { Shown } from '../parts/states.tsx'
import { useProject } from '../project.tsx'
import { isolated } from '../../isolate.ts'
import { formatExactTime, formatSpan, ms } from '../format.ts'
import { readDiagnoses } from './loading.ts'
import type { Stretch } from '../../../protocol/rest/quality.ts'

const CAUSES: Record<Stretch['cause'], string> = {
  server: 'Server',
  'sender-line': 'Line of a sender',
  'receiver-line': 'Own line',
  device: 'Device',
}

/** What was bad, when and why: one sentence for each period, with the figures behind it. */
export function DiagnosisBox({
  sessionId,
  of,
  everyMs,
}: {
  sessionId: string
  /** Ids of participants. */
  of: readonly string[]
  everyMs: number | undefined
}) {
  const { inProject } = useProject()
  const query = useQuery(
    () => readDiagnoses(inProject, sessionId, of),
    `diagnosis ${sessionId} ${of.join(' ')}`,
    everyMs,
  )
  return (
    <section className="box diagnosis" aria-labelledby="diagnosis">
      <h2 id="diagnosis">What was bad, and why</h2>
      <Shown query={query}>
        {({ stretches, isMeasured }) =>
          stretches.length === 0 ? (
            <p className="quiet">
              {isMeasured
                ? 'Nothing: no line lost much, no picture was held back, and the server kept up.'
                : 'Nothing was measured, or the measurements are no longer kept.'}
            </p>
          ) : (
            <ul className="stretches">
              {stretches.map((one) => (
                <li key={one.from + one.sentence}>
                  <p className="stretch-when">
                    <span className={`state ${one.cause === 'server' ? 'off' : 'warn'}`}>
                      {CAUSES[one.cause]}
                    </span>{' '}
                    <span className="quiet">
                      {formatExactTime(one.from)}, for {formatSpan(ms(one.to) - ms(one.from))}
                    </span>
                  </p>
                  <p>{isolated(one.sentence)}</p>
                  <p className="quiet code">
                    {Object.entries(one.figures)
                      .map(([name, value]) => `${name} ${Math.round(value * 10) / 10}`)
                      .join(' · ')}
                  </p>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </section>
  )
}
