import type { ReactNode } from 'react'
import type { Asked } from '../asking.ts'

/** What was asked for: a skeleton until it is there, the reason and a way to try again if it did not come. */
export function Shown<T>({ asked, children }: { asked: Asked<T>; children: (value: T) => ReactNode }) {
  const { value, problem, again } = asked
  return (
    <>
      {problem && <Problem text={problem.message} again={again} />}
      {value !== undefined ? children(value) : !problem && <Skeleton />}
    </>
  )
}

export function Problem({ text, again }: { text: string; again?: () => void }) {
  return (
    <div className="notice problem-box" role="alert">
      <p>{text}</p>
      {again && <button onClick={again}>Try again</button>}
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

/** There is nothing, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  )
}

/** Why what was clicked did not work. */
export function Failure({ text }: { text: string }) {
  return (
    <p className="problem" role="alert">
      {text}
    </p>
  )
}
