import { useState, useSyncExternalStore } from 'react'
import { text, useLanguage } from '../texts/texts.ts'
import { canChangeBackground, pictures } from './background.ts'
import { effectChoices, pictureNames, type Background } from './chosen.ts'
import './effects.css'
import { canReduceNoise } from './noise.ts'
import { asBackground } from './own-picture.ts'

/** The choice of effects on one's own video and sound, as far as this browser supports them. */
export default function Choice() {
  useLanguage()
  const { background, ownPicture, reducesNoise, problems } = useSyncExternalStore(
    effectChoices.subscribe,
    effectChoices.get,
  )
  const [unreadable, setUnreadable] = useState(false)
  const choose = (chosen: Background): void => effectChoices.change({ background: chosen })
  const takeOwn = async (file: File | undefined): Promise<void> => {
    if (!file) return
    const picture = await asBackground(file).catch(() => undefined)
    setUnreadable(!picture)
    if (picture) effectChoices.change({ background: 'own', ownPicture: picture })
  }
  const shown: { name: Background; picture?: string }[] = [
    { name: 'none' },
    { name: 'blur' },
    ...pictureNames.map((name) => ({ name, picture: pictures[name] })),
    ...(ownPicture === undefined ? [] : [{ name: 'own' as const, picture: ownPicture }]),
  ]
  return (
    <div className="effect-choice">
      {canChangeBackground() && (
        <fieldset>
          <legend>{text('effects.background')}</legend>
          <div className="backgrounds">
            {shown.map(({ name, picture }) => (
              <label key={name} className={`background ${name}`}>
                <input
                  type="radio"
                  name="background"
                  checked={background === name}
                  onChange={() => choose(name)}
                  data-testid={`background-${name}`}
                />
                {picture !== undefined && <img src={picture} alt="" />}
                <span>{text(`effects.background.${name}`)}</span>
              </label>
            ))}
          </div>
          <label className="own-picture">
            {text('effects.choosePicture')}
            <input
              type="file"
              accept="image/*"
              onChange={({ target }) => void takeOwn(target.files?.[0])}
              data-testid="own-picture"
            />
          </label>
          {unreadable && (
            <p className="problem" role="status">
              {text('effects.unreadable')}
            </p>
          )}
        </fieldset>
      )}
      {canReduceNoise() && (
        <label className="radio">
          <input
            type="checkbox"
            checked={reducesNoise}
            onChange={({ target }) => effectChoices.change({ reducesNoise: target.checked })}
            data-testid="reduce-noise"
          />
          {text('effects.noise')}
        </label>
      )}
      <p className="quiet">{text('effects.where')}</p>
      {Object.values(problems).map((problem) => (
        <p key={problem} className="problem" role="status" data-testid="effect-problem">
          {text(`effects.${problem}`)}
        </p>
      ))}
    </div>
  )
}
