import type { ReactNode } from 'react'
import type { Query } from '../query.ts'
import type { PageInfo, PageOf } from '../../../protocol/rest.ts'
import { Link, useRouter } from '../router.tsx'
import { count } from '../format.ts'
import { Empty, Shown } from './states.tsx'

/** A page of a list, with links to its neighbours. `empty` is shown for a list without rows. */
export function ShownPage<T>({
  query,
  of,
  many = `${of}s`,
  empty,
  children,
}: {
  query: Query<PageOf<T>>
  of: string
  many?: string
  empty: ReactNode
  children: (rows: T[]) => ReactNode
}) {
  const { place } = useRouter()
  return (
    <Shown query={query}>
      {({ data, pageInfo }) => {
        const { currentPage, lastPage, total } = pageInfo
        if (total === 0) return empty
        // Rows were deleted meanwhile, or the number in the address is too large.
        if (currentPage > lastPage)
          return (
            <Empty title={`There is no page ${currentPage}`}>
              <Link className="button" path={place.path} query={{ ...place.query, page: String(lastPage) }}>
                Go to page {lastPage}, the last
              </Link>
            </Empty>
          )
        return (
          <>
            {children(data)}
            <Pages info={pageInfo} of={of} many={many} />
          </>
        )
      }}
    </Shown>
  )
}

/** The number of the page, with links to its neighbours; the address holds it. */
function Pages({ info, of, many }: { info: PageInfo; of: string; many: string }) {
  const { place } = useRouter()
  const { currentPage, lastPage, total } = info
  const to = (page: number) => ({ ...place.query, page: String(page) })
  return (
    <nav className="pager" aria-label={`Pages of ${many}`}>
      <span className="quiet">
        {count(total, of, many)}
        {lastPage > 1 && ` · page ${currentPage} of ${lastPage}`}
      </span>
      {lastPage > 1 && (
        <span className="row">
          {currentPage > 1 && (
            <Link className="button" path={place.path} query={to(currentPage - 1)}>
              Newer
            </Link>
          )}
          {currentPage < lastPage && (
            <Link className="button" path={place.path} query={to(currentPage + 1)}>
              Older
            </Link>
          )}
        </span>
      )}
    </nav>
  )
}
