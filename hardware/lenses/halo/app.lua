-- Draws what the host sends, strip by strip, and says when a frame is whole.
-- 0x20: row (Uint16, from 1), then a sprite as brilliant-msg packs it. 0x21: make the lens dark.
-- 0x22: a number that is sent back, once all that came before it is drawn. 0x23: 1 opens the
-- microphone, 0 closes it; what it hears goes to the host as 0x24, a count, and four frames of LC3.
local data = require('data.min')
local sprites = require('sprite.min')

local STRIP, DARK, DONE, LISTEN, SOUND = 0x20, 0x21, 0x22, 0x23, 0x24
local PACKET = 4 * 40 -- 32 kbit/s are 40 bytes for each 10 ms

local listens, heard, number = false, '', 0

local function draw(message)
  local row = string.byte(message, 1) << 8 | string.byte(message, 2)
  local strip = sprites.parse_sprite(string.sub(message, 3))
  sprites.set_palette(strip.num_colors, strip.palette_data)
  -- A pixel of palette entry 0 leaves what was there before, so that has to go first.
  frame.display.rect(1, row, strip.width, strip.height, 0x000000, true)
  frame.display.bitmap(1, row, strip.width, 1 << strip.bpp, 0, strip.pixel_data)
end

local function answer(message)
  while not pcall(frame.bluetooth.send, string.char(DONE) .. message) do
    frame.sleep(0.0025)
  end
end

local function listen(message)
  listens, heard = string.byte(message, 1) == 1, ''
  if listens then
    pcall(frame.microphone.start, {
      sample_rate = 16000, bit_depth = 16, channels = 1, encoder = 'lc3', duration = 1000, bitrate = 32000,
    })
  else
    pcall(frame.microphone.stop)
  end
end

local function hear()
  heard = heard .. (frame.microphone.read(6 * PACKET) or '')
  while #heard >= PACKET do
    -- One that Bluetooth is too busy for is lost: sound that comes late is worth less than none.
    pcall(frame.bluetooth.send, string.char(SOUND, number) .. string.sub(heard, 1, PACKET))
    number = (number + 1) % 256
    heard = string.sub(heard, PACKET + 1)
  end
end

frame.display.clear()
print('ready')
while true do
  for _, item in ipairs(data.process_raw_items()) do
    if item[1] == STRIP then
      draw(item[2])
    elseif item[1] == DARK then
      frame.display.clear()
    elseif item[1] == DONE then
      answer(item[2])
    elseif item[1] == LISTEN then
      listen(item[2])
    end
  end
  if listens then
    hear()
  end
  frame.sleep(0.005)
end
