// Realtime: players in guild rooms on `/`, game masters on `/admin`.

import { Server } from 'socket.io';

const CHAT_LIMIT = 500;

export function createSockets(options) {
  const io = new Server(options);

  io.on('connection', (socket) => {
    socket.on('join', (guild, ack) => {
      if (typeof guild !== 'string' || guild.length > 40) return;
      socket.join(guild);
      if (typeof ack === 'function') ack({ joined: guild });
    });
    socket.on('chat', (message) => {
      if (typeof message?.guild !== 'string' || typeof message.text !== 'string') return;
      io.to(message.guild).emit('chat', { from: socket.id, text: message.text.slice(0, CHAT_LIMIT) });
    });
  });

  const admin = io.of('/admin');
  admin.use((socket, next) => {
    next(socket.handshake.auth?.role === 'game-master' ? undefined : new Error('game masters only'));
  });
  admin.on('connection', (socket) => {
    socket.on('announce', (text) => io.emit('announcement', String(text).slice(0, CHAT_LIMIT)));
  });

  return {
    io,
    announce: {
      tick: (n) => io.emit('tick', { n }),
      battle: (battle) => admin.emit('battle', battle),
    },
  };
}
