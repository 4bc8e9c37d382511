import type { ReactNode } from 'react'
import type { Query } from '../query.ts'

/** The result of a query: a placeholder while it loads; the reason and a button to try again if it failed. */
export function Shown<T>({ query, children }: { query: Query<T>; children: (value: T) => ReactNode }) {
  const { value, problem, reload } = query
  return (
    <>
      {problem && <Problem text={problem.message} retry={reload} />}
      {value !== undefined ? children(value) : !problem && <Skeleton />}
    </>
  )
}

export function Problem({ text, retry }: { text: string; retry?: () => void }) {
  return (
    <div className="notice problem-box" role="alert">
      <p>{text}</p>
      {retry && <button onClick={retry}>Try again</button>}
    </div>
  )
}

export function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      <span />
      <span />
      <span />
    </div>
  )
}

/** An empty list, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  )
}

/** Why an action failed. */
export function Failure({ text }: { text: string }) {
  return (
    <p className="problem" role="alert">
      {text}
    </p>
  )
}
