/** CPU time and losses of a server, from its metrics or from the system. */
import { readdir, readFile } from 'node:fs/promises'

/** On Linux; other systems have no `/proc` either. */
const TICKS_PER_SECOND = 100
const CPU = /^(?:process_cpu_seconds_total|anteroom_media_worker_cpu_seconds_total(?:\{[^}]*\})?) (\S+)/
const DROPS = /^anteroom_media_worker_dropped_datagrams_total\{[^}]*\} (\S+)/

/** From `/metrics` of our server; undefined if it does not answer. */
export async function cpuFromMetrics(url: string, token: string | undefined): Promise<number | undefined> {
  return sumOf(CPU, url, token)
}

/** Datagrams that reached our server and were lost at its own sockets; undefined if it does not report them. */
export async function dropsFromMetrics(url: string, token: string | undefined): Promise<number | undefined> {
  return sumOf(DROPS, url, token)
}

export interface WorkerFigures {
  cpuSeconds: number
  /** Streams from other workers, and to them. */
  pipesIn: number
  pipesOut: number
}

/** From `/metrics` of a server of ours: its media workers, by their ports. */
export async function workersFromMetrics(
  url: string,
  token: string | undefined,
): Promise<ReadonlyMap<number, WorkerFigures>> {
  const text = (await metricsOf(url, token)) ?? ''
  const figure = (series: string, worker: string, labels = ''): number =>
    Number(new RegExp(`^${series}\\{worker="${worker}"${labels}\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
  const ports = [...text.matchAll(/^anteroom_media_worker_port\{worker="(\d+)"\} (\d+)$/gm)]
  return new Map(
    ports.map(([, worker = '', port]) => [
      Number(port),
      {
        cpuSeconds: figure('anteroom_media_worker_cpu_seconds_total', worker),
        pipesIn: figure('anteroom_media_worker_pipes', worker, ',direction="in"'),
        pipesOut: figure('anteroom_media_worker_pipes', worker, ',direction="out"'),
      },
    ]),
  )
}

async function metricsOf(url: string, token: string | undefined): Promise<string | undefined> {
  try {
    const answer = await fetch(`${url.replace(/\/+$/, '')}/metrics`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })
    return answer.ok ? await answer.text() : undefined
  } catch {
    return undefined
  }
}

async function sumOf(series: RegExp, url: string, token: string | undefined): Promise<number | undefined> {
  const text = await metricsOf(url, token)
  const values = (text ?? '')
    .split('\n')
    .flatMap((line) => series.exec(line)?.[1] ?? [])
    .map(Number)
  return values.length === 0 ? undefined : values.reduce((sum, one) => sum + one, 0)
}

/** CPU time of a process on this machine and its children; undefined if it cannot be read. */
export async function cpuOfProcess(pid: number): Promise<number | undefined> {
  try {
    const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const processes = new Map<number, { parent: number; seconds: number }>()
    for (const name of all) {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined)
      if (stat === undefined) continue
      // A name may hold blanks and brackets; what follows the last bracket does not.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
      processes.set(Number(name), { parent: Number(fields[1]), seconds })
    }
    const own = processes.get(pid)
    if (!own) return undefined
    let total = own.seconds
    const parents = [pid]
    for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
      for (const [child, { parent: of, seconds }] of processes) {
        if (of !== parent) continue
        total += seconds
        parents.push(child)
      }
    }
    return total
  } catch {
    return undefined
  }
}
