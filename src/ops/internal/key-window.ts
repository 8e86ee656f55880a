/**
 * What the queries of one sequence see of its keys: query t sees the keys from … min(end, diagonal + t + 1) − 1,
 * and none where that is empty.
 *
 * One form serves every mask that nopeek has. Over T queries and S keys:
 *
 *   causal                         from 0, end S, diagonal S − T
 *   none                           from 0, end S, diagonal S
 *   padding                        from and end are where the sequence's own tokens stand
 */
export interface KeyRange {
  readonly from: number;
  readonly end: number;
  /** The key that query 0 sees last. */
  readonly diagonal: number;
}
