// Names and numbers of the nodes, in screen pixels over everything else.

import { baselines, textSizes, type Label } from './labels'
import type { Picture } from './picture'
import type { SceneNode } from './scene'
import { textWidth, writeWithHalo } from './text'

export function paintLabels(picture: Picture): void {
  const { g, camera, ratio, palette, labels, emphasis } = picture
  g.save()
  g.setTransform(ratio, 0, 0, ratio, 0, 0)
  g.textAlign = 'center'
  g.strokeStyle = palette.bg
  const shown = picture.nodes.flatMap((node) => labels.get(node.data.id) ?? [])
  paintLeaders(picture, shown)
  let font = ''
  for (const label of shown) {
    const isLit = picture.isLit(label.node)
    if (isLit) paintBacking(picture, label)
    g.globalAlpha = 1
    const x = Math.round(label.node.x * camera.k + camera.tx)
    const y = Math.round(label.node.y * camera.k + camera.ty)
    for (const { line, x: dx, y: dy } of baselines(label)) {
      const wanted = `${line.bold ? '600 ' : ''}${line.size}px ${palette.sans}`
      if (wanted !== font) g.font = font = wanted
      g.fillStyle = palette[isLit ? line.colour : 'mute']
      writeWithHalo(g, line.text, x + dx, y + dy, 4)
    }
  }
  const hovered = emphasis.hoverNode ? picture.scene.nodes.get(emphasis.hoverNode) : undefined
  if (hovered && !labels.has(hovered.data.id)) paintHovered(picture, hovered)
  g.restore()
}

/** Interrupts edges behind a label: through the gaps between words they would look like an underline. */
function paintBacking({ g, camera, palette }: Picture, label: Label): void {
  const x = label.node.x * camera.k + camera.tx
  const y = label.node.y * camera.k + camera.ty
  g.globalAlpha = 0.9
  g.fillStyle = palette.bg
  for (const { line, x: dx, y: dy } of baselines(label)) {
    const width = textWidth(g, palette.sans, line.text, line.size, line.bold) + 4
    g.fillRect(x + dx - width / 2, y + dy - line.size, width, line.size * 1.35)
  }
}

/** Labels that stand off their node are tied to it. */
function paintLeaders({ g, camera, palette }: Picture, labels: readonly Label[]): void {
  g.strokeStyle = palette.mute
  g.lineWidth = 1
  g.globalAlpha = 0.8
  g.beginPath()
  for (const { node, box, leader } of labels) {
    if (!leader) continue
    const [x, y] = [node.x * camera.k + camera.tx, node.y * camera.k + camera.ty]
    g.moveTo(x, y)
    g.lineTo(x + (box.left > 0 ? box.left : box.right), y + (box.top + box.bottom) / 2)
  }
  g.stroke()
  g.strokeStyle = palette.bg
}

/** The name of a node whose label had to give way, while the pointer is on it. */
function paintHovered({ g, camera, palette, k }: Picture, { data, x, y }: SceneNode): void {
  const size = textSizes(k).name
  g.globalAlpha = 1
  g.font = `600 ${size}px ${palette.sans}`
  const [cx, cy] = [x * camera.k + camera.tx, y * camera.k + camera.ty - 40 * k - 6]
  const half = textWidth(g, palette.sans, data.name, size, true) / 2 + 4
  g.fillStyle = palette.bg
  g.fillRect(cx - half, cy - size, 2 * half, size * 1.4)
  g.fillStyle = palette.ink
  g.fillText(data.name, cx, cy)
}
