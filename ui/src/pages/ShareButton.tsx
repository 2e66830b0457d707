// A button that opens the form by which a page is shared.

import { Icon } from '../components/Icon'
import { Popover } from '../components/Popover'
import { isShared, type Shareable } from '../model/share'
import { lazily } from './lazily'

const ShareForm = lazily('form', () => import('./ShareForm').then((part) => part.ShareForm))

interface Props extends Shareable {
  /** In the map's toolbar: its sign alone. */
  isTool?: boolean
}

/** One way to give others what is on the screen: as a link, or as a file. */
export function ShareButton({ isTool, ...shareable }: Props) {
  if (isShared()) return null
  return (
    <Popover
      className={isTool ? 'tool' : 'button'}
      label="Share"
      align={isTool ? 'right' : 'left'}
      button={
        <>
          <Icon name="share" size={isTool ? 16 : 14} /> {!isTool && 'Share'}
        </>
      }
    >
      {() => <ShareForm {...shareable} />}
    </Popover>
  )
}
